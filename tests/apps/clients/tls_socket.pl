# IO::Socket::SSL: sockets kept.
use strict;
use warnings;
use IO::Socket::SSL;

my ($ca, $name, $host, @ports) = @ARGV;
my @sockets = map {
    my $socket = IO::Socket::SSL->new(PeerAddr => $host, PeerPort => $_, SSL_ca_file => $ca,
        SSL_hostname => $name, SSL_verifycn_name => $name) or die $SSL_ERROR;
    print $socket "GET /ready HTTP/1.1\r\nHost: $name\r\n\r\n";
    1 until <$socket> eq "READY\n";
    $socket;
} @ports;
$| = 1;
print "READY\n";
<STDIN>;
$_->close for @sockets;
print "CLOSED\n";
<STDIN>;
