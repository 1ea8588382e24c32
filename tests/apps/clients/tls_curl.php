<?php
// PHP's curl extension over TLS: handles kept, each with its connection.

// Any signal cuts PHP's wait for a line short.
function line()
{
    while (fgets(STDIN) === false && !feof(STDIN))
        ;
}

[, $ca, $name, $host] = $argv;
$handles = [];
foreach (array_slice($argv, 4) as $port) {
    $handle = curl_init("https://$name:$port/page");
    curl_setopt_array($handle, [CURLOPT_RETURNTRANSFER => true, CURLOPT_CAINFO => $ca,
        CURLOPT_RESOLVE => ["$name:$port:$host"]]);
    if (strlen(curl_exec($handle)) !== 100000)
        exit(1);
    $handles[] = $handle;
}
echo "READY\n";
line();
unset($handle);
$handles = [];
echo "CLOSED\n";
line();
