# OpenSSL::SSL::SSLSocket: sockets kept.
require "openssl"
require "socket"

ca, name, host, *ports = ARGV
context = OpenSSL::SSL::SSLContext.new
context.set_params(ca_file: ca)
sockets = ports.map do |port|
  socket = OpenSSL::SSL::SSLSocket.new(TCPSocket.new(host, port.to_i), context)
  socket.sync_close = true
  socket.hostname = name
  socket.connect
  socket.write("GET /ready HTTP/1.1\r\nHost: #{name}\r\n\r\n")
  nil until socket.gets == "READY\n"
  socket
end
$stdout.sync = true
puts "READY"
$stdin.gets
sockets.each(&:close)
puts "CLOSED"
$stdin.gets
