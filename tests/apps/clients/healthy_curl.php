<?php
// PHP's curl extension: healthy_curl.php WHAT URL [CA], then at rest.

// Any signal cuts PHP's wait for a line short.
function line()
{
    while (fgets(STDIN) === false && !feof(STDIN))
        ;
}

function told_to_end(int $microseconds): bool
{
    $in = [STDIN];
    $none = null;
    return (bool)@stream_select($in, $none, $none, 0, $microseconds);
}

function handle(string $path = "/small")
{
    global $argv;
    $handle = curl_init($argv[2] . $path);
    curl_setopt_array($handle, [CURLOPT_RETURNTRANSFER => true, CURLOPT_TIMEOUT => 600]);
    if (isset($argv[3]))
        curl_setopt($handle, CURLOPT_CAINFO, $argv[3]);
    return $handle;
}

function check(bool $right)
{
    if (!$right)
        exit(1);
}

function get($handle, int $size = 5)
{
    check(strlen(curl_exec($handle)) === $size);
}

function steadily($handle, int $size = 5)
{
    echo "READY\n";
    do
        get($handle, $size);
    while (!told_to_end(100000));
}

function many(): array
{
    $multi = curl_multi_init();
    $handles = [];
    for ($i = 0; $i < 8; $i++) {
        $handles[$i] = handle("/wait/300");
        curl_multi_add_handle($multi, $handles[$i]);
    }
    do {
        check(curl_multi_exec($multi, $running) === CURLM_OK);
        if ($running)
            curl_multi_select($multi, 1);
    } while ($running);
    foreach ($handles as $handle) {
        check(curl_multi_getcontent($handle) === "waited");
        curl_multi_remove_handle($multi, $handle);
    }
    return [$multi];
}

$kept = [];
switch ($argv[1]) {
    case "sequential":
        $kept = [handle()];
        for ($i = 0; $i < 5; $i++) {
            get($kept[0]);
            usleep(100000);
        }
        break;
    case "two":  // handles, each with its connection, each used several times
        for ($i = 0; $i < 2; $i++) {
            $kept[$i] = handle();
            for ($j = 0; $j < 3; $j++)
                get($kept[$i]);
            usleep(100000);
        }
        break;
    case "lull":
        $kept = many();
        break;
    case "busy":
        steadily(handle("/page"), 100000);
        exit(0);
    case "persistent":  // a socket that outlives what uses it
        $to = parse_url($argv[2]);
        for ($i = 0; $i < 4; $i++) {
            $stream = pfsockopen($to["host"], $to["port"]);
            fwrite($stream, "GET /small HTTP/1.1\r\nHost: here\r\n\r\n");
            while (trim(fgets($stream)) !== "")
                ;
            check(fread($stream, 5) === "small");
            usleep(100000);
        }
        break;
}
echo "READY\n";
line();
