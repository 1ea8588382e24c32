// HttpURLConnection and its cache of connections: HealthyUrl WHAT URL, then at rest.
import java.io.InputStream;
import java.net.URL;
import java.net.URLConnection;

public class HealthyUrl {
    private static String base;

    public static void main(String[] args) throws Exception {
        base = args[1];
        switch (args[0]) {
            case "sequential" -> {
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
            case "busy" -> HealthyRest.steadily(50, () -> get("/page", 100_000));
            case "poll" -> HealthyRest.steadily(50, () -> get("", 6));
            case "stream" -> stream();
        }
        HealthyRest.rest();
    }

    private static InputStream open(String path) throws Exception {
        URLConnection connection = new URL(base + path).openConnection();
        connection.setConnectTimeout(600_000);
        connection.setReadTimeout(600_000);
        return connection.getInputStream();
    }

    private static void get(String path, int size) throws Exception {
        try (InputStream in = open(path)) {
            if (in.readAllBytes().length != size)
                throw new IllegalStateException(path);
        }
    }

    private static void eight() throws Exception {
        Thread[] threads = new Thread[8];
        for (int i = 0; i < 8; i++) {
            threads[i] = new Thread(() -> {
                try {
                    get("/wait/300", 6);
                } catch (Exception failure) {
                    failure.printStackTrace();
                    System.exit(1);
                }
            });
            threads[i].start();
        }
        for (Thread thread : threads)
            thread.join();
    }

    private static void stream() throws Exception {
        InputStream in = open("");
        HealthyRest.steadily(0, () -> {
            if (in.read(new byte[4096]) < 0)
                throw new IllegalStateException("the end");
        });
    }
}
