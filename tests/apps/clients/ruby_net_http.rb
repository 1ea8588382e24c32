# Net::HTTP.start without a block: sessions kept.
require "net/http"

host, port = ARGV
sessions = Array.new(5) { Net::HTTP.start(host, port.to_i) }
sessions.each { |session| session.get("/small") }
$stdout.sync = true
puts "READY"
$stdin.gets
sessions.each(&:finish)
puts "CLOSED"
$stdin.gets
