<?php
// PHP streams: stream_socket_client, and fopen of a large page that nobody reads.

// Any signal cuts PHP's wait for a line short.
function line()
{
    while (fgets(STDIN) === false && !feof(STDIN))
        ;
}

[, $host, $port] = $argv;
$streams = [];
for ($i = 0; $i < 3; $i++)
    $streams[] = stream_socket_client("tcp://$host:$port");
for ($i = 0; $i < 2; $i++)
    $streams[] = fopen("http://$host:$port/large", "r");
echo "READY\n";
line();
foreach ($streams as $stream)
    fclose($stream);
echo "CLOSED\n";
line();
