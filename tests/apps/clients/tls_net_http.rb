# Net::HTTP over TLS: sessions kept.
require "net/http"

ca, name, host, *ports = ARGV
sessions = ports.map do |port|
  session = Net::HTTP.new(name, port.to_i)
  session.ipaddr = host
  session.use_ssl = true
  session.ca_file = ca
  session.start
end
sessions.each { |session| session.get("/page").body.size == 100_000 or exit 1 }
$stdout.sync = true
puts "READY"
$stdin.gets
sessions.each(&:finish)
puts "CLOSED"
$stdin.gets
