// HttpURLConnection: connections go into a cache when their responses were read to the end.
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.URL;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.Callable;

class HttpUrl extends HttpCommon {
    static String url;

    static HttpURLConnection to(String page) throws Exception {
        return (HttpURLConnection) new URL(url + "/" + page).openConnection();
    }

    static HttpURLConnection ask(String page) throws Exception {
        HttpURLConnection connection = to(page);
        System.out.println(connection.getResponseCode());
        return connection;
    }

    static InputStream open(String page) throws Exception {
        HttpURLConnection connection = ask(page);
        return connection.getErrorStream() != null ? connection.getErrorStream()
                                                   : connection.getInputStream();
    }

    static InputStream part(String page) throws Exception {
        InputStream in = open(page);
        System.out.println(in.readNBytes(PART).length);
        return in;
    }

    static Object undrained(String page) throws Exception {
        part(page).close();
        return null;
    }

    static byte[] fetch(String page) throws Exception {
        try (InputStream in = open(page)) {
            return in.readAllBytes();
        }
    }

    /** Closes what could have gone into the cache. */
    static byte[] disconnected(String page) throws Exception {
        HttpURLConnection connection = ask(page);
        byte[] body = connection.getInputStream().readAllBytes();
        connection.disconnect();
        return body;
    }

    static byte[] unkept(String page) throws Exception {
        System.setProperty("http.keepAlive", "false");
        return fetch(page);
    }

    static byte[] limited(String page) throws Exception {
        HttpURLConnection connection = to(page);
        connection.setReadTimeout(60_000);
        return connection.getInputStream().readAllBytes();
    }

    /** Finds each connection of the cache closed, but for the last. */
    static Object retried() throws Exception {
        many(() -> fetch("hangup"));
        return fetch("small");
    }

    /** The same after the server's limit for what is idle. */
    static Object again() throws Exception {
        for (int i = 0; i < TOGETHER; i++) {
            System.out.println(fetch("idle").length);
            System.out.println("AGAIN");
            line();
        }
        return fetch("small");
    }

    public static void main(String[] args) throws Exception {
        url = args[0];
        Map<String, Callable<Object>> faults = new HashMap<>();
        faults.put("unread", () -> hold(LEAKS, () -> open("large")));
        faults.put("half", () -> hold(LEAKS, () -> part("large")));
        faults.put("undrained", () -> hold(LEAKS, () -> undrained("large")));
        faults.put("undrained-chunks", () -> hold(LEAKS, () -> undrained("chunked")));
        faults.put("error", () -> hold(LEAKS, () -> ask("error")));
        faults.put("error-page", () -> hold(LEAKS, () -> ask("error-page")));
        faults.put("bye", () -> hold(LEAKS, () -> ask("bye")));
        faults.put("stall", () -> asleep(() -> fetch("stall")));
        faults.put("slow", () -> asleep(() -> fetch("slow")));
        faults.put("patient", () -> asleep(() -> limited("stall")));
        faults.put("churn", () -> many(() -> disconnected("small")));
        faults.put("churn-close", () -> many(() -> unkept("small")));
        faults.put("churn-bye", () -> many(() -> fetch("bye")));
        faults.put("retry", () -> retried());
        faults.put("again", () -> again());
        faults.put("healthy", () -> many(() -> fetch("small")));
        run(args[1], faults);
    }
}
