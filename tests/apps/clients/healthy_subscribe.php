<?php
// redis: three subscriptions, opened one after another, and one wait for all: HOST PORT.
[, $host, $port] = $argv;
$waited = [];
for ($i = 0; $i < 3; $i++) {
    $stream = fsockopen($host, (int)$port);
    fwrite($stream, "subscribe news\r\n");
    while (rtrim(fgets($stream)) !== ":1")
        ;
    $waited[] = $stream;
    usleep(100000);
}
echo "READY\n";
$waited[] = STDIN;
do {
    $ready = $waited;
    $none = null;
} while (@stream_select($ready, $none, $none, null) === false);
