// java.net.http: a client has a pool, and a selector that watches what lies in it.
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

class HttpPool extends HttpCommon {
    static String url;
    static HttpClient shared = HttpClient.newHttpClient();

    static HttpRequest request(String page) {
        return HttpRequest.newBuilder(URI.create(url + "/" + page)).build();
    }

    static InputStream open(String page) throws Exception {
        HttpResponse<InputStream> response =
            shared.send(request(page), BodyHandlers.ofInputStream());
        System.out.println(response.statusCode());
        return response.body();
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

    static byte[] fetch(HttpClient client, String page) throws Exception {
        return client.send(request(page), BodyHandlers.ofByteArray()).body();
    }

    /** A client for a request: a pool that nobody uses again. */
    static Object own() throws Exception {
        HttpClient client = HttpClient.newHttpClient();
        System.out.println(fetch(client, "small").length);
        return client;
    }

    static Object together(String page) {
        HttpRequest one = request(page + "/" + TOGETHER);
        List<CompletableFuture<HttpResponse<String>>> asked = IntStream.range(0, TOGETHER)
            .mapToObj(i -> shared.sendAsync(one, BodyHandlers.ofString()))
            .collect(Collectors.toList());
        asked.forEach(response -> System.out.println(response.join().statusCode()));
        return null;
    }

    public static void main(String[] args) throws Exception {
        url = args[0];
        Map<String, Callable<Object>> faults = new HashMap<>();
        faults.put("unread", () -> hold(LEAKS, () -> open("large")));
        faults.put("half", () -> hold(LEAKS, () -> part("large")));
        faults.put("undrained", () -> hold(LEAKS, () -> undrained("large")));
        faults.put("error", () -> hold(LEAKS, () -> open("error")));
        faults.put("error-page", () -> hold(LEAKS, () -> open("error-page")));
        faults.put("stall", () -> asleep(() -> fetch(shared, "stall")));
        faults.put("slow", () -> asleep(() -> fetch(shared, "slow")));
        faults.put("churn-bye", () -> many(() -> fetch(shared, "bye")));
        faults.put("kept", () -> hold(MANY, () -> own()));
        faults.put("idle", () -> together("together-idle"));
        faults.put("healthy", () -> many(() -> fetch(shared, "small")));
        run(args[1], faults);
    }
}
