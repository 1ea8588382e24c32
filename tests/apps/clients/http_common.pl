# For the HTTP clients in Perl: does the fault that is named, and stands still.
#
#     CLIENT.pl URL FAULT
#
# What is read is printed: it is the same without the guard. What a fault returns outlives it.
use strict;
use warnings;

our ($url, $fault) = @ARGV;
use constant { LEAKS => 5, MANY => 24, TOGETHER => 4, PART => 100_000 };
$| = 1;

sub still {
    print "STILL\n";
    <STDIN>;
}

# So many results of a step, some time apart: each lies idle for more than a tenth of leak_after.
sub hold {
    my ($count, $step) = @_;
    return map { my $kept = $step->(); select undef, undef, undef, 0.05; $kept } 1 .. $count;
}

# A callback for content, which stands still when so much has come; what comes later it drops.
sub reads_part {
    my $read = 0;
    my $stood;
    return sub {
        $read += length $_[0];
        return if $stood || $read < PART;
        $stood = 1;
        still();
        die "enough\n";
    };
}

# $step->(page) again and again, each time after the server has closed what lies idle.
sub used_again {
    my ($step) = @_;
    for (1 .. TOGETHER) {
        $step->("idle");
        print "AGAIN\n";
        <STDIN>;
    }
    $step->("small");
}

sub do_fault {
    my (%faults) = @_;
    my @kept = $faults{$fault}->();
    still();
}
1;
