<?php
// PHP's curl extension: each handle has connections of its own.
require __DIR__ . "/http_common.php";

$resolved = parse_url($url, PHP_URL_HOST) . ":" . parse_url($url, PHP_URL_PORT) . ":127.0.0.1";
$handle = function ($page, $options = []) use ($url, $ca, $resolved) {
    $handle = curl_init("$url/$page");
    curl_setopt_array($handle, [CURLOPT_RETURNTRANSFER => true, CURLOPT_CAINFO => $ca,
        CURLOPT_RESOLVE => [$resolved]]);
    curl_setopt_array($handle, $options);
    return $handle;
};

$fetch = function ($page, $options = []) use ($handle) {
    $made = $handle($page, $options);
    echo strlen(curl_exec($made)), " of ", curl_getinfo($made, CURLINFO_RESPONSE_CODE), "\n";
    return $made;
};

// A transfer that is driven until so much of its body is here, and then no more.
$begun = function ($page, $size) use ($handle) {
    $read = 0;
    $made = $handle($page, [CURLOPT_WRITEFUNCTION => function ($_, $data) use (&$read) {
        $read += strlen($data);
        return strlen($data);
    }]);
    $multi = curl_multi_init();
    curl_multi_add_handle($multi, $made);
    do {
        curl_multi_exec($multi, $running);
        curl_multi_select($multi, 0.01);
    } while (curl_getinfo($made, CURLINFO_RESPONSE_CODE) === 0 || $read < $size);
    return [$multi, $made];
};

// A callback that has had enough.
$refuses = [CURLOPT_WRITEFUNCTION => fn() => 0];
$says_close = [CURLOPT_HTTPHEADER => ["Connection: close"]];

$closed = function ($page, $options = []) use ($handle) {
    $made = $handle($page, $options);
    $body = curl_exec($made);
    curl_close($made);
    return $body;
};

// One handle, which keeps its connection.
$one = $handle("");
$ask = function ($page) use ($url, $one) {
    curl_setopt($one, CURLOPT_URL, "$url/$page");
    echo strlen(curl_exec($one)), "\n";
};

$retried = function () use ($ask) {
    for ($i = MANY - 1; $i >= 0; $i--)
        $ask($i ? "hangup" : "small");
};

$faults = [
    "unread" => fn() => hold(fn() => $begun("large", 0)),
    "half" => fn() => hold(fn() => $begun("large", PART)),
    "undrained" => fn() => hold(fn() => $fetch("large", $refuses) && false),
    "undrained-chunks" => fn() => hold(fn() => $fetch("chunked", $refuses) && false),
    "error" => fn() => hold(fn() => $fetch("error")),
    "error-page" => fn() => hold(fn() => $fetch("error-page")),
    "idle" => fn() => hold(fn() => $fetch("idle")),
    "bye" => fn() => hold(fn() => $fetch("bye")),
    "stall" => fn() => asleep(fn() => $closed("stall")),
    "slow" => fn() => asleep(fn() => $closed("slow")),
    "churn" => fn() => many(fn() => $closed("small")),
    "churn-fresh" => fn() => many(fn() => $closed("small", [CURLOPT_FORBID_REUSE => true])),
    "churn-close" => fn() => many(fn() => $closed("small", $says_close)),
    "churn-bye" => fn() => many(fn() => $closed("bye")),
    "kept" => fn() => hold(fn() => $fetch("small"), MANY),
    "retry" => $retried,
    "again" => fn() => used_again($ask),
];
$kept = $faults[$fault]();
still();
