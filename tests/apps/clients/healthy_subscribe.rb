# redis: three subscriptions, opened one after another, and one wait for all: HOST PORT.
require "socket"

waited = 3.times.map do
  socket = TCPSocket.new(*ARGV)
  socket.write("subscribe news\r\n")
  nil until socket.gets == ":1\r\n"
  sleep 0.1
  socket
end
$stdout.sync = true
puts "READY"
IO.select([*waited, $stdin])
