<?php
// The test application for php-cgi: see README.md beside this file. One request at a time.
ignore_user_abort(true);
set_time_limit(0);
header('Content-Type: text/plain');
$path = strtok($_SERVER['REQUEST_URI'] ?? '', '?');

function mark(string $text): bool
{
    $path = getenv('MARKS') . '/' . $_GET['mark'];
    $unfinished = $path . '.' . getmypid();
    $made = file_put_contents($unfinished, $text) !== false && @link($unfinished, $path);
    unlink($unfinished);
    return $made;
}

function pattern(int $bytes): bool
{
    static $block = null;
    $block ??= implode('', array_map(fn ($i) => chr(($i * 31 + ($i >> 8)) & 255), range(0, 65535)));
    for (; $bytes > 0 && !connection_aborted(); $bytes -= 65536) {
        echo $bytes < 65536 ? substr($block, 0, $bytes) : $block;
        flush();
    }
    return !connection_aborted();
}

function crash(): never
{
    exec('kill -ABRT ' . getmypid());
    sleep(60);
    exit(1);
}

switch ($path) {
    case '/hello':
        echo "hello\n";
        break;
    case '/env':
        foreach ($_SERVER as $name => $value) {
            if (is_string($value)) {
                echo $name, '=', rawurlencode($value), "\n";
            }
        }
        break;
    case '/digest':
        $input = fopen('php://input', 'r');
        $sum = hash_init('sha256');
        $length = 0;
        while (($piece = fread($input, 16384)) !== false && $piece !== '') {
            $length += strlen($piece);
            hash_update($sum, $piece);
        }
        echo $length, ' ', hash_final($sum), "\n";
        isset($_GET['mark']) && mark("ran\n");
        break;
    case '/generate':
        header('Content-Type: application/octet-stream');
        if (($_GET['length'] ?? '') !== '0') {
            header('Content-Length: ' . $_GET['bytes']);
        }
        pattern((int) $_GET['bytes']);
        break;
    case '/steps':
        while (ob_get_level() > 0) {
            ob_end_flush();
        }
        for ($number = 0; $number < (int) $_GET['count'] && !connection_aborted(); $number++) {
            echo "piece $number\n";
            flush();
            for ($had = getenv('MARKS') . '/' . $_GET['mark'] . $number; !file_exists($had); clearstatcache()) {
                usleep(10000);
            }
        }
        break;
    case '/status':
        http_response_code((int) $_GET['code']);
        header('X-Test: yes');
        echo in_array($_GET['code'], ['204', '304'], true) ? '' : "body\n";
        break;
    case '/cookies':
        setcookie('a', '1');
        setcookie('b', '2');
        echo "set\n";
        break;
    case '/redirect':
        header_remove('Content-Type');
        header('Location: http://viaduct.test/hello');
        break;
    case '/stderr':
        error_log($_GET['text'] . ' of the request');
        file_put_contents('php://stderr', $_GET['text'] . " of the process\n");
        echo "reported\n";
        break;
    case '/pid':
        echo getmypid(), "\n";
        break;
    case '/setting':
        echo getenv($_GET['name']), "\n";
        break;
    case '/sleep':
        isset($_GET['mark']) && file_put_contents(getenv('MARKS') . '/' . $_GET['mark'], "begun\n", FILE_APPEND);
        usleep(1000 * (int) $_GET['ms']);
        echo "slept\n";
        break;
    case '/endless':
        while (pattern(65536)) {
            continue;
        }
        mark("write failed\n");
        break;
    case '/crash':
        pattern((int) ($_GET['bytes'] ?? 0));
        crash();
    case '/once':
        if (mark("crashed once\n")) {
            crash();
        }
        echo getmypid(), "\n";
        break;
    case '/hang':
        mark("hanging\n");
        while (true) {
            sleep(60);
        }
    case '/finish':
        echo getmypid(), "\n";
        fastcgi_finish_request();
        mark(getmypid() . "\n");
        for ($end = getenv('MARKS') . '/' . $_GET['mark'] . '.end'; !file_exists($end); clearstatcache()) {
            usleep(10000);
        }
        break;
    case '/early':
        echo "early\n";
        break;
    default:
        http_response_code(404);
        echo "not found\n";
}
