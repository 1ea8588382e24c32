# HTTP::Tiny: an agent keeps its last connection.
use strict;
use warnings;
use FindBin;
use HTTP::Tiny;
BEGIN { require "$FindBin::Bin/http_common.pl" }
our ($url, $fault);

sub get {
    my ($page, $agent) = (@_, HTTP::Tiny->new);
    my $response = $agent->get("$url/$page");
    print length($response->{content}), " of $response->{status}\n";
    return $agent;
}

# Its agent gives up what is larger than that.
sub limited {
    return HTTP::Tiny->new(max_size => PART);
}

sub retried {
    my $agent = HTTP::Tiny->new;
    for my $i (1 .. MANY) {
        get($i < MANY ? "hangup" : "small", $agent);
    }
    return $agent;
}

do_fault(
    half => sub { HTTP::Tiny->new->get("$url/large", { data_callback => reads_part() }) },
    undrained => sub { map { eval { get("large", limited()) }; () } 1 .. LEAKS },
    "undrained-chunks" => sub { map { eval { get("chunked", limited()) }; () } 1 .. LEAKS },
    error => sub { hold(LEAKS, sub { get("error") }) },
    idle => sub { hold(LEAKS, sub { get("idle") }) },
    bye => sub { hold(LEAKS, sub { get("bye") }) },
    stall => sub { print "STILL\n"; get("stall") },
    slow => sub { print "STILL\n"; get("slow") },
    churn => sub { map { get("small"); () } 1 .. MANY },
    "churn-bye" => sub { map { get("bye"); () } 1 .. MANY },
    retry => sub { retried() },
    again => sub { my $agent = HTTP::Tiny->new; used_again(sub { get(@_, $agent) }); $agent },
    healthy => sub { my $agent = HTTP::Tiny->new; get("small", $agent) for 1 .. MANY; $agent },
);
