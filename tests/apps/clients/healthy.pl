# Perl's agents that keep their connections: healthy.pl AGENT WHAT URL [CA], then at rest.
use strict;
use warnings;
use HTTP::Tiny;
use IO::Select;
use LWP::UserAgent;

my ($agent, $what, $base, $ca) = @ARGV;

sub lwp {
    my $ua = LWP::UserAgent->new(keep_alive => 8, timeout => 600, env_proxy => 0);
    $ua->ssl_opts(SSL_ca_file => $ca) if $ca;
    return sub {
        my $response = $ua->get($base . shift);
        $response->is_success or die $response->status_line;
        return $response->content;
    };
}

sub tiny {
    my %tls = $ca ? (verify_SSL => 1, SSL_options => { SSL_ca_file => $ca }) : ();
    my $ua = HTTP::Tiny->new(keep_alive => 1, timeout => 600, %tls);
    return sub {
        my $response = $ua->get($base . shift);
        $response->{success} or die $response->{content};
        return $response->{content};
    };
}

sub is_told_to_end {
    return IO::Select->new(\*STDIN)->can_read(shift);
}

$| = 1;
my $get = $agent eq 'lwp' ? lwp() : tiny();
if ($what eq 'sequential') {
    for (1 .. 5) {
        $get->('/small') eq 'small' or die;
        select undef, undef, undef, 0.1;
    }
    print "READY\n";
    <STDIN>;
} else {
    my ($path, $size) = $what eq 'busy' ? ('/page', 100_000) : ('/wait/5000', 6);
    print "READY\n";
    do {
        length $get->($path) == $size or die;
    } until is_told_to_end(0.05);
}
