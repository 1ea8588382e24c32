<?php
// PHP's curl extension: handles kept, each with its connection.

// Any signal cuts PHP's wait for a line short.
function line()
{
    while (fgets(STDIN) === false && !feof(STDIN))
        ;
}

[, $host, $port] = $argv;
$handles = [];
for ($i = 0; $i < 5; $i++) {
    $handle = curl_init("http://$host:$port/small");
    curl_setopt($handle, CURLOPT_RETURNTRANSFER, true);
    if (curl_exec($handle) !== "small")
        exit(1);
    $handles[] = $handle;
}
echo "READY\n";
line();
unset($handle);
$handles = [];
echo "CLOSED\n";
line();
