# HTTP::Tiny over TLS: each agent keeps its last connection.
use strict;
use warnings;
use HTTP::Tiny;

my ($ca, $name, undef, @ports) = @ARGV;
my @agents = map {
    my $agent = HTTP::Tiny->new(verify_SSL => 1, SSL_options => { SSL_ca_file => $ca });
    my $response = $agent->get("https://$name:$_/page");
    $response->{success} or die $response->{content};
    $agent;
} @ports;
$| = 1;
print "READY\n";
<STDIN>;
@agents = ();
print "CLOSED\n";
<STDIN>;
