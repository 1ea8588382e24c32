<?php
// stream_socket_client("ssl://..."): a response read to its end, the stream kept.

// Any signal cuts PHP's wait for a line short.
function line()
{
    while (fgets(STDIN) === false && !feof(STDIN))
        ;
}

[, $ca, $name, $host] = $argv;
$context = stream_context_create(["ssl" => ["cafile" => $ca, "peer_name" => $name]]);
$streams = [];
foreach (array_slice($argv, 4) as $port) {
    $stream = stream_socket_client("ssl://$host:$port", $code, $why, 10, STREAM_CLIENT_CONNECT,
        $context);
    fwrite($stream, "GET /ready HTTP/1.1\r\nHost: $name\r\n\r\n");
    while (fgets($stream) !== "READY\n")
        ;
    $streams[] = $stream;
}
echo "READY\n";
line();
foreach ($streams as $stream)
    fclose($stream);
echo "CLOSED\n";
line();
