# IO::Socket::INET: sockets kept.
use strict;
use warnings;
use IO::Socket::INET;

my ($host, $port) = @ARGV;
my @sockets = map {
    IO::Socket::INET->new(PeerAddr => $host, PeerPort => $port, Proto => 'tcp') or die $@;
} 1 .. 5;
$| = 1;
print "READY\n";
<STDIN>;
$_->close for @sockets;
print "CLOSED\n";
<STDIN>;
