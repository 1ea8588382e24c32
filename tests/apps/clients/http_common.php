<?php
// For the HTTP clients in PHP: does the fault that is named, and stands still.
//
//     CLIENT.php URL FAULT [CA]
//
// What is read is printed: it is the same without the guard. What a fault returns outlives it.

[, $url, $fault] = $argv;
$ca = $argv[3] ?? null;
const LEAKS = 5;
const MANY = 24;
const TOGETHER = 4;
const PART = 100000;

// Any signal cuts PHP's wait for a line short.
function line()
{
    while (fgets(STDIN) === false && !feof(STDIN))
        ;
}

function still()
{
    echo "STILL\n";
    line();
}

// So many results of $step(), some time apart: each lies idle for more than a tenth of leak_after.
function hold($step, $count = LEAKS)
{
    $kept = [];
    for ($i = 0; $i < $count; $i++) {
        $kept[] = $step();
        usleep(50000);
    }
    return $kept;
}

// $step($page) again and again, each time after the server has closed what lies idle.
function used_again($step)
{
    for ($i = 0; $i < TOGETHER; $i++) {
        $step("idle");
        echo "AGAIN\n";
        line();
    }
    $step("small");
}

function many($step)
{
    for ($i = 0; $i < MANY; $i++)
        echo strlen($step()), "\n";
}

function asleep($step)
{
    echo "STILL\n";
    echo strlen($step()), "\n";
}
