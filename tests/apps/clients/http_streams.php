<?php
// PHP's http wrapper: asks for Connection: close each time; a stream is a response.
require __DIR__ . "/http_common.php";

ini_set("user_agent", "poolguard");
$context = stream_context_create(["http" => ["ignore_errors" => true], "ssl" => ["cafile" => $ca]]);

$get = fn($page) => fopen("$url/$page", "r", false, $context);
$fetch = fn($page) => file_get_contents("$url/$page", false, $context);

function part($stream)
{
    echo strlen(stream_get_contents($stream, PART)), "\n";
    return $stream;
}

$faults = [
    "unread" => fn() => hold(fn() => $get("large")),
    "half" => fn() => hold(fn() => part($get("large"))),
    "undrained" => fn() => hold(fn() => fclose(part($get("large")))),
    "undrained-chunks" => fn() => hold(fn() => fclose(part($get("chunked")))),
    "error" => fn() => hold(fn() => $get("error")),
    "error-page" => fn() => hold(fn() => $get("error-page")),
    "bye" => fn() => hold(fn() => $get("bye")),
    "stall" => fn() => asleep(fn() => $fetch("stall")),
    "slow" => fn() => asleep(fn() => $fetch("slow")),
    "churn" => fn() => many(fn() => $fetch("small")),
];
$kept = $faults[$fault]();
still();
