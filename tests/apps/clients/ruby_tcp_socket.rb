# TCPSocket: plain sockets kept.
require "socket"

host, port = ARGV
sockets = Array.new(5) { TCPSocket.new(host, port.to_i) }
$stdout.sync = true
puts "READY"
$stdin.gets
sockets.each(&:close)
puts "CLOSED"
$stdin.gets
