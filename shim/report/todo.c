/* Each name in these sentences is one that the client's own documentation has. */
#include "report/todo.h"

enum { ANY = UINT8_MAX, TODO_TEXT = 200 };

/* With the text inside, a row needs no relocation: these would be made at the start of every
 * program. In the order of the classes, the general sentence first. C is also what is not known. */
static const struct {
    uint8_t verdict, language;
    char text[TODO_TEXT];
} todo[] = {
    {VERDICT_TLS_FREED, ANY,
     "close the socket where the TLS object is freed: freeing it leaves the socket open."},
    {VERDICT_TLS_FREED, LANGUAGE_PYTHON,
     "close() the SSL socket itself: after unwrap() or detach() the connection below it is still "
     "open and has to be closed, too."},
    {VERDICT_TLS_FREED, LANGUAGE_RUBY,
     "set sync_close = true on the OpenSSL::SSL::SSLSocket, so that its close closes the "
     "TCPSocket, too, or close both."},
    {VERDICT_TLS_FREED, LANGUAGE_PERL,
     "close the IO::Socket::SSL object: stop_SSL alone ends TLS and leaves the socket open."},
    {VERDICT_TLS_FREED, LANGUAGE_C,
     "close() the socket where SSL_free() or gnutls_deinit() is called: they leave the descriptor "
     "open that SSL_set_fd() or gnutls_transport_set_int() was given."},
    {VERDICT_TLS_ORPHAN, ANY,
     "free the TLS object where its socket is closed: closing the socket leaves the object in "
     "memory."},
    {VERDICT_TLS_ORPHAN, LANGUAGE_C,
     "call SSL_free() or gnutls_deinit() where the socket is closed: close() leaves the TLS object "
     "in memory."},
    {VERDICT_BODY_UNREAD, ANY,
     "read each response to its end and close it, on every path: errors and status codes that "
     "nobody looks at included."},
    {VERDICT_BODY_UNREAD, LANGUAGE_PYTHON,
     "read each response and close it: with urlopen(url) as r: r.read(), with requests.get(url, "
     "stream=True) as r: r.content; with http.client, response.read() before the next request."},
    {VERDICT_BODY_UNREAD, LANGUAGE_PHP,
     "read each stream to its end by stream_get_contents() and fclose() it; call curl_multi_exec() "
     "until no transfer is left, then curl_multi_remove_handle()."},
    {VERDICT_BODY_UNREAD, LANGUAGE_RUBY,
     "let the block of read_body come to its end: break, return and throw leave the rest unread; "
     "Net::HTTP.start with a block closes the connection in any case."},
    {VERDICT_BODY_UNREAD, LANGUAGE_PERL,
     "read to the end, then close; with Net::HTTP until read_entity_body returns 0 (LWP and "
     "HTTP::Tiny do that by themselves)."},
    {VERDICT_BODY_UNREAD, LANGUAGE_JAVA,
     "read getInputStream(), after an error status getErrorStream(), to its end in "
     "try-with-resources, and so the body() of BodyHandlers.ofInputStream()."},
    {VERDICT_BODY_UNREAD, LANGUAGE_NODE,
     "call res.resume() where nobody reads the response, or res.destroy() to drop its connection; "
     "of fetch, await response.text() or response.body.cancel()."},
    {VERDICT_BODY_UNREAD, LANGUAGE_C,
     "read each response to its end, or close the socket; with libcurl call curl_multi_perform() "
     "until no transfer is left, then curl_multi_remove_handle() and curl_easy_cleanup()."},
    {VERDICT_PEER_CLOSED, ANY,
     "close each connection when its peer has: on end of file, on an error, and on every path that "
     "leaves the function."},
    {VERDICT_PEER_CLOSED, LANGUAGE_PYTHON,
     "open sockets and responses by with, or close() them in finally, also when recv() returned "
     "b''; an idle requests.Session() keeps what the server closed until it is used or closed."},
    {VERDICT_PEER_CLOSED, LANGUAGE_PHP,
     "fclose() a stream when feof() is true or a read failed; unset() curl handles that are done: "
     "curl_close() does nothing since PHP 8.0, and their connections stay."},
    {VERDICT_PEER_CLOSED, LANGUAGE_RUBY,
     "give TCPSocket.open and Net::HTTP.start a block, or close (finish) in ensure, also when read "
     "returned nil or raised EOFError."},
    {VERDICT_PEER_CLOSED, LANGUAGE_PERL,
     "close the handle when sysread returned 0 or undef, or let its last reference go; LWP keeps "
     "what the server closed until $ua->conn_cache->prune or the next request."},
    {VERDICT_PEER_CLOSED, LANGUAGE_JAVA,
     "open sockets, streams and responses by try-with-resources, also for when read() returns -1 "
     "or throws; of Apache HttpClient, set evictExpiredConnections() and evictIdleConnections()."},
    {VERDICT_PEER_CLOSED, LANGUAGE_NODE,
     "read each socket or destroy() it: one that is paused, or whose response nobody reads "
     "(res.resume()), never gets its 'end'; with allowHalfOpen call end() on 'end'."},
    {VERDICT_NEVER_CLOSED, ANY,
     "close each connection when done with it, or keep it and use it again instead of opening "
     "another."},
    {VERDICT_NEVER_CLOSED, LANGUAGE_PYTHON,
     "open connections by with (http.client's by contextlib.closing()) or close() them in finally, "
     "or keep one requests.Session() for all requests."},
    {VERDICT_NEVER_CLOSED, LANGUAGE_PHP,
     "use one curl handle for all requests, or unset() it when done: curl_close() does nothing "
     "since PHP 8.0; fclose() each stream."},
    {VERDICT_NEVER_CLOSED, LANGUAGE_RUBY,
     "give Net::HTTP.start and TCPSocket.open a block, at whose end they close, or keep one "
     "started Net::HTTP object per host and use it again."},
    {VERDICT_NEVER_CLOSED, LANGUAGE_PERL,
     "close each socket when done, or let its last reference go; or keep one "
     "LWP::UserAgent->new(keep_alive => 10) for all requests."},
    {VERDICT_NEVER_CLOSED, LANGUAGE_JAVA,
     "open sockets, streams and responses by try-with-resources, and keep one HttpClient for all "
     "requests: each one has connections of its own, and close() only since Java 21."},
    {VERDICT_NEVER_CLOSED, LANGUAGE_NODE,
     "end() or destroy() each socket when done; keep one new http.Agent({ keepAlive: true }) for "
     "all requests, and destroy() an agent that is no longer used."},
    {VERDICT_CONNECT_FAILED, ANY,
     "close the socket when connect() fails: the error path skips it."},
    {VERDICT_CONNECT_FAILED, LANGUAGE_PYTHON,
     "close the socket when connect() raises: with socket.socket() as s: s.connect(address); "
     "socket.create_connection(address) does it by itself."},
    {VERDICT_CONNECT_FAILED, LANGUAGE_PHP,
     "socket_close() the socket when socket_connect() returns false; stream_socket_client() does "
     "it by itself."},
    {VERDICT_CONNECT_FAILED, LANGUAGE_RUBY,
     "close the socket when connect raises, in rescue or ensure; Socket.tcp and TCPSocket.new do "
     "it by themselves."},
    {VERDICT_CONNECT_FAILED, LANGUAGE_PERL,
     "close the socket when connect returns false; IO::Socket::INET->new(PeerAddr => ...) does it "
     "by itself."},
    {VERDICT_EXEC_INHERITED, ANY,
     "open it with SOCK_CLOEXEC, or set FD_CLOEXEC, so that programs that are started do not hold "
     "it open."},
    {VERDICT_EXEC_INHERITED, LANGUAGE_PYTHON,
     "leave FD_CLOEXEC set, as sockets have it from the start: no set_inheritable(True), "
     "close_fds=False or pass_fds for what a program that is started should not hold open."},
    {VERDICT_EXEC_INHERITED, LANGUAGE_PHP,
     "close it before exec(), proc_open() and the like start a program, which holds it open "
     "otherwise: PHP opens sockets without FD_CLOEXEC."},
    {VERDICT_EXEC_INHERITED, LANGUAGE_RUBY,
     "leave close_on_exec true (FD_CLOEXEC), as sockets have it from the start, and pass spawn, "
     "system and exec only the descriptors that are meant (fd => fd)."},
    {VERDICT_EXEC_INHERITED, LANGUAGE_PERL,
     "leave $^F at 2: sockets above it get FD_CLOEXEC, which fcntl($s, F_SETFD, ...) should take "
     "off only where a program is to have them."},
    {VERDICT_CLOSED_UNDRAINED, ANY,
     "read each response to its end before closing it: a connection that is closed before cannot "
     "be used again."},
    {VERDICT_CLOSED_UNDRAINED, LANGUAGE_PYTHON,
     "read each response to its end before closing it, by r.content (requests with stream=True), "
     "response.read() (http.client) or await r.read() (aiohttp)."},
    {VERDICT_CLOSED_UNDRAINED, LANGUAGE_PHP,
     "read streams to their end by stream_get_contents() before fclose(); with curl, let "
     "CURLOPT_WRITEFUNCTION take all it is given, and set CURLOPT_NOBODY where no body is wanted."},
    {VERDICT_CLOSED_UNDRAINED, LANGUAGE_RUBY,
     "read each body to its end, without an exception or return inside the block of read_body; "
     "send a Net::HTTP::Head where no body is wanted."},
    {VERDICT_CLOSED_UNDRAINED, LANGUAGE_PERL,
     "read each body to its end: LWP closes the connection when the content callback dies or "
     "max_size is reached; call $ua->head where no body is wanted."},
    {VERDICT_CLOSED_UNDRAINED, LANGUAGE_JAVA,
     "read getInputStream(), after an error status getErrorStream(), to its end (readAllBytes()) "
     "before close(); of HttpClient, take BodyHandlers.discarding() where no body is wanted."},
    {VERDICT_CLOSED_UNDRAINED, LANGUAGE_NODE,
     "call res.resume() where nobody wants the body: res.destroy(), req.destroy() and an "
     "AbortSignal close the connection."},
    {VERDICT_CLOSED_UNDRAINED, LANGUAGE_C,
     "read each response to its end before close(); with libcurl let the write callback take all "
     "it is given, and set CURLOPT_NOBODY where no body is wanted."},
    {VERDICT_CHURN, ANY, "keep one client with a pool of connections and use it for all requests."},
    {VERDICT_CHURN, LANGUAGE_PYTHON,
     "use one requests.Session() for all requests (with threads, HTTPAdapter(pool_maxsize=N)), or "
     "one httpx.Client() or aiohttp.ClientSession(); urlopen() and requests.get() connect each "
     "time."},
    {VERDICT_CHURN, LANGUAGE_PHP,
     "use one curl handle for all requests, with curl_reset() between them, or one curl_multi "
     "handle; fopen() and file_get_contents() connect each time."},
    {VERDICT_CHURN, LANGUAGE_RUBY,
     "send all requests inside the block of Net::HTTP.start: Net::HTTP.get, URI.open and an object "
     "that was not started connect each time."},
    {VERDICT_CHURN, LANGUAGE_PERL,
     "use one LWP::UserAgent->new(keep_alive => 10), or one HTTP::Tiny for each host, for all "
     "requests; without keep_alive LWP connects each time."},
    {VERDICT_CHURN, LANGUAGE_JAVA,
     "use one java.net.http.HttpClient for all requests; with HttpURLConnection, read each stream "
     "to its end and leave out disconnect()."},
    {VERDICT_CHURN, LANGUAGE_NODE,
     "use one new http.Agent({ keepAlive: true }), or https.Agent, for all requests: agent: false "
     "connects each time, as does the default agent before Node 19."},
    {VERDICT_CHURN, LANGUAGE_C,
     "keep one connection for each host and use it for all requests; with libcurl use one easy "
     "handle (curl_easy_reset() keeps its connections) or one multi handle."},
    {VERDICT_SERVER_IDLE, ANY,
     "let the pool close idle connections earlier than the server does, or send again what meets a "
     "closed one."},
    {VERDICT_SERVER_IDLE, LANGUAGE_PYTHON,
     "set aiohttp.TCPConnector(keepalive_timeout=...) or httpx.Limits(keepalive_expiry=...) below "
     "the server's limit; requests has none: mount HTTPAdapter(max_retries=Retry(...))."},
    {VERDICT_SERVER_IDLE, LANGUAGE_PHP,
     "set CURLOPT_MAXAGE_CONN (118 seconds by default) below the server's limit, or send again "
     "what meets a closed connection."},
    {VERDICT_SERVER_IDLE, LANGUAGE_RUBY,
     "keep http.keep_alive_timeout (2 seconds by default) below the server's limit; "
     "http.max_retries sends idempotent requests again."},
    {VERDICT_SERVER_IDLE, LANGUAGE_PERL,
     "call $ua->conn_cache->drop(N) before a request: it closes what has been idle for N seconds; "
     "choose N below the server's limit."},
    {VERDICT_SERVER_IDLE, LANGUAGE_JAVA,
     "set -Djdk.httpclient.keepalive.timeout (HttpClient) or -Dhttp.keepAlive.time.server "
     "(HttpURLConnection), in seconds, below the server's limit; Apache HttpClient has "
     "evictIdleConnections()."},
    {VERDICT_SERVER_IDLE, LANGUAGE_NODE,
     "set timeout (ms) of new http.Agent({ keepAlive: true }), or keepAliveTimeout of undici's "
     "Agent, below the server's limit; send again on ECONNRESET if req.reusedSocket."},
    {VERDICT_SERVER_IDLE, LANGUAGE_C,
     "close idle connections earlier than the server does, with libcurl by CURLOPT_MAXAGE_CONN "
     "(118 seconds by default), or send again what meets a closed one."},
    {VERDICT_NO_TIMEOUT, ANY,
     "bound connect() and reads in time: a peer that never answers blocks the thread for ever."},
    {VERDICT_NO_TIMEOUT, LANGUAGE_PYTHON,
     "pass timeout= to requests.get(), urlopen(), HTTPConnection() and create_connection(), or "
     "call socket.setdefaulttimeout(), which requests does not heed."},
    {VERDICT_NO_TIMEOUT, LANGUAGE_PHP,
     "set default_socket_timeout or stream_set_timeout(); with curl, CURLOPT_CONNECTTIMEOUT and "
     "CURLOPT_TIMEOUT; with socket_connect(), SO_RCVTIMEO and SO_SNDTIMEO."},
    {VERDICT_NO_TIMEOUT, LANGUAGE_RUBY,
     "pass connect_timeout: to Socket.tcp or TCPSocket.new and call wait_readable(seconds) before "
     "reads; of Net::HTTP, set open_timeout and read_timeout."},
    {VERDICT_NO_TIMEOUT, LANGUAGE_PERL,
     "pass Timeout to IO::Socket::INET->new, and before reads wait by IO::Select's "
     "can_read(seconds) or set SO_RCVTIMEO; LWP::UserAgent and HTTP::Tiny have timeout."},
    {VERDICT_NO_TIMEOUT, LANGUAGE_JAVA,
     "call setConnectTimeout() and setReadTimeout() of URLConnection, connect(address, ms) and "
     "setSoTimeout() of Socket, connectTimeout() and timeout() in the builders of HttpClient and "
     "HttpRequest."},
    {VERDICT_NO_TIMEOUT, LANGUAGE_NODE,
     "set timeout in the options of http.request() and call req.destroy() on 'timeout'; of fetch, "
     "pass signal: AbortSignal.timeout(ms)."},
    {VERDICT_NO_TIMEOUT, LANGUAGE_C,
     "set SO_SNDTIMEO before connect() and SO_RCVTIMEO before reads, or poll() with a timeout "
     "first; of hiredis, redisConnectWithTimeout() and redisSetTimeout()."},
    {VERDICT_DOUBLE_CLOSE, ANY,
     "let one place own each descriptor and close it; the number may be another connection's by "
     "the second close."},
    {VERDICT_DOUBLE_CLOSE, LANGUAGE_PYTHON,
     "let one object own each descriptor: no os.close() of a socket's fileno(), and detach() "
     "before socket.socket(fileno=...) or os.fdopen() takes it over."},
    {VERDICT_DOUBLE_CLOSE, LANGUAGE_RUBY,
     "let one object own each descriptor: set autoclose = false on what IO.for_fd or Socket.for_fd "
     "made of another's fileno."},
    {VERDICT_DOUBLE_CLOSE, LANGUAGE_PERL,
     "let the handle close its descriptor: after POSIX::close(fileno($s)) it closes that number "
     "again when its last reference goes."},
    {VERDICT_DOUBLE_CLOSE, LANGUAGE_C,
     "let one place own each descriptor, and set it to -1 after close(): fclose() closes what "
     "fdopen() was given, and a close() that failed with EINTR has closed it."},
    {VERDICT_FD_EXHAUSTED, ANY,
     "look for what is not closed above; if all of it is needed, raise the limit (ulimit -n, "
     "LimitNOFILE=)."},
    {VERDICT_TLS_HANDSHAKE, ANY,
     "bound the handshake in time, as connect() and reads should be, and close the connection when "
     "the time runs out."},
    {VERDICT_TLS_HANDSHAKE, LANGUAGE_PYTHON,
     "call settimeout() before wrap_socket(), which makes the handshake; in servers, pass "
     "do_handshake_on_connect=False and call do_handshake() in the thread that serves."},
    {VERDICT_TLS_HANDSHAKE, LANGUAGE_PHP,
     "pass a timeout to stream_socket_client(), or set default_socket_timeout; with curl, "
     "CURLOPT_CONNECTTIMEOUT, which the handshake counts towards."},
    {VERDICT_TLS_HANDSHAKE, LANGUAGE_RUBY,
     "set open_timeout of Net::HTTP; of SSLSocket, call connect_nonblock or accept_nonblock, and "
     "wait_readable(seconds) in between."},
    {VERDICT_TLS_HANDSHAKE, LANGUAGE_PERL,
     "pass Timeout to IO::Socket::SSL->new or start_SSL, and close the socket when it fails."},
    {VERDICT_TLS_HANDSHAKE, LANGUAGE_C,
     "set SO_RCVTIMEO and SO_SNDTIMEO before SSL_connect() or SSL_accept(), or poll() with a "
     "deadline; call gnutls_handshake_set_timeout(); with libcurl, set CURLOPT_CONNECTTIMEOUT."},
    {VERDICT_OPEN_AT_EXIT, ANY,
     "close them before the program ends, if the peer should see an orderly end."},
    {VERDICT_OPEN_AT_EXIT, LANGUAGE_PYTHON,
     "close them before the program ends, by with or atexit.register(), if the peer should see an "
     "orderly end."},
    {VERDICT_OPEN_AT_EXIT, LANGUAGE_C,
     "close them before the program ends, if the peer should see an orderly end; with libcurl by "
     "curl_easy_cleanup() and curl_multi_cleanup()."},
};

const char *todo_text(enum verdict verdict, enum language l) {
    const char *general = NULL;
    for (size_t i = 0; i < sizeof todo / sizeof *todo; i++) {
        if (todo[i].verdict != verdict)
            continue;
        if (todo[i].language == l)
            return todo[i].text;
        if (todo[i].language == ANY)
            general = todo[i].text;
    }
    return general;
}

const char *todo_of_stack(enum verdict verdict, const struct view *v, uint32_t stack) {
    return todo_text(verdict, language_of_stack(v, stack));
}
