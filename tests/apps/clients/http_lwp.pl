# LWP: an agent asks for Connection: close, unless it has a cache of connections. Net::HTTP is
# what it stands on.
use strict;
use warnings;
use FindBin;
use LWP::UserAgent;
use Net::HTTP;
BEGIN { require "$FindBin::Bin/http_common.pl" }
our ($url, $fault);

sub get {
    my ($agent, $page) = @_;
    my $response = $agent->get("$url/$page");
    print length($response->content), " of ", $response->code, "\n";
    return $agent;
}

sub keeping {
    return LWP::UserAgent->new(keep_alive => 1);
}

# Its agent gives up what is larger than that.
sub limited {
    print LWP::UserAgent->new(max_size => PART)->get("$url/@_")->code, "\n";
}

# The transport alone: the head is read, and so much of the body.
sub begun {
    my ($page, $size) = @_;
    my ($host, $path) = $url =~ m{^http://([^/]+)(/.*)};
    my $socket = Net::HTTP->new(Host => $host, KeepAlive => 1) or die $@;
    $socket->write_request(GET => "$path/$page");
    print(($socket->read_response_headers)[0], "\n");
    while ($size > 0) {
        $size -= $socket->read_entity_body(my $data, 4096);
    }
    return $socket;
}

sub asleep {
    my ($step) = @_;
    print "STILL\n";
    return $step->();
}

sub retried {
    my $agent = keeping();
    for my $i (1 .. MANY) {
        get($agent, $i < MANY ? "hangup" : "small");
    }
    return $agent;
}

do_fault(
    unread => sub { hold(LEAKS, sub { begun("large", 0) }) },
    half => sub { hold(LEAKS, sub { begun("large", PART) }) },
    callback => sub { LWP::UserAgent->new->get("$url/large", ":content_cb" => reads_part()) },
    undrained => sub { hold(LEAKS, sub { limited("large") }) },
    error => sub { hold(LEAKS, sub { get(keeping(), "error") }) },
    idle => sub { hold(LEAKS, sub { get(keeping(), "idle") }) },
    bye => sub { hold(LEAKS, sub { get(keeping(), "bye") }) },
    stall => sub { asleep(sub { get(LWP::UserAgent->new, "stall") }) },
    transport => sub { asleep(sub { begun("stall", 0) }) },
    churn => sub { map { get(LWP::UserAgent->new, "small"); () } 1 .. MANY },
    "churn-agents" => sub { map { get(keeping(), "small"); () } 1 .. MANY },
    retry => sub { retried() },
    again => sub { my $agent = keeping(); used_again(sub { get($agent, @_) }); $agent },
);
