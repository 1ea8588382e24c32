// java.net.http.HttpClient: HealthyClient WHAT URL, then at rest.
import java.io.InputStream;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.net.http.WebSocket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

public class HealthyClient {
    private static String base;
    private static HttpClient client;

    public static void main(String[] args) throws Exception {
        base = args[1];
        HttpClient.Builder builder = HttpClient.newBuilder();
        builder.version(args[0].startsWith("h2") ? HttpClient.Version.HTTP_2
                                                 : HttpClient.Version.HTTP_1_1);
        client = builder.build();
        switch (args[0]) {
            case "sequential", "h2" -> {
                for (int i = 0; i < 5; i++) {
                    get("/small", 5);
                    Thread.sleep(HealthyRest.PAUSE);
                }
            }
            case "burst" -> {
                eight();
                eight();
                HealthyRest.steadily(100, () -> get("/small", 5));
            }
            case "lull" -> eight();
            case "busy" -> HealthyRest.steadily(50, () -> get("/page", 100_000));
            case "poll", "h2-poll" -> HealthyRest.steadily(50, () -> get("", 6));
            case "stream" -> stream();
            case "websocket" -> websocket();
        }
        HealthyRest.rest();
    }

    private static HttpRequest request(String path) {
        return HttpRequest.newBuilder(URI.create(base + path)).timeout(Duration.ofMinutes(10)).build();
    }

    private static void check(HttpResponse<byte[]> response, int size) {
        if (response.statusCode() != 200 || response.body().length != size)
            throw new IllegalStateException(response.toString());
    }

    private static void get(String path, int size) throws Exception {
        check(client.send(request(path), BodyHandlers.ofByteArray()), size);
    }

    private static void eight() {
        List<CompletableFuture<HttpResponse<byte[]>>> asked = new ArrayList<>();
        for (int i = 0; i < 8; i++)
            asked.add(client.sendAsync(request("/wait/300"), BodyHandlers.ofByteArray()));
        asked.forEach(future -> check(future.join(), 6));
    }

    private static void stream() throws Exception {
        InputStream in = client.send(request(""), BodyHandlers.ofInputStream()).body();
        if (in.read() < 0)
            throw new IllegalStateException("the end");
        HealthyRest.steadily(0, () -> {
            if (in.read(new byte[4096]) < 0)
                throw new IllegalStateException("the end");
        });
    }

    private static void websocket() {
        client.newWebSocketBuilder().buildAsync(URI.create(base), new WebSocket.Listener() { }).join();
    }
}
