<?php
// PHP's https wrapper: pages read to their end, streams kept.

// Any signal cuts PHP's wait for a line short.
function line()
{
    while (fgets(STDIN) === false && !feof(STDIN))
        ;
}

[, $ca, $name] = $argv;
$context = stream_context_create(["ssl" => ["cafile" => $ca]]);
$streams = [];
foreach (array_slice($argv, 4) as $port) {
    $stream = fopen("https://$name:$port/page", "r", false, $context);
    if (strlen(stream_get_contents($stream)) !== 100000)
        exit(1);
    $streams[] = $stream;
}
echo "READY\n";
line();
foreach ($streams as $stream)
    fclose($stream);
echo "CLOSED\n";
line();
