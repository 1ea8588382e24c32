# redis: three subscriptions, opened one after another, and one wait for all: HOST PORT.
use strict;
use warnings;
use IO::Select;
use IO::Socket::INET;

my ($host, $port) = @ARGV;
my $waited = IO::Select->new(\*STDIN);
for (1 .. 3) {
    my $socket = IO::Socket::INET->new(PeerAddr => $host, PeerPort => $port) or die;
    print $socket "subscribe news\r\n";
    while (<$socket> ne ":1\r\n") { }
    $waited->add($socket);
    select undef, undef, undef, 0.1;
}
$| = 1;
print "READY\n";
1 until $waited->can_read;
