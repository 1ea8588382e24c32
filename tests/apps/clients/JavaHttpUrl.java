// HttpURLConnection: input streams of large responses, opened and not read.
import java.io.InputStream;
import java.net.URL;
import java.util.ArrayList;
import java.util.List;

public class JavaHttpUrl {
    public static void main(String[] args) throws Exception {
        URL url = new URL("http://" + args[0] + ":" + args[1] + "/large");
        List<InputStream> streams = new ArrayList<>();
        for (int i = 0; i < 5; i++)
            streams.add(url.openConnection().getInputStream());
        System.out.println("READY");
        line();
        for (InputStream stream : streams)
            stream.close();
        System.out.println("CLOSED");
        line();
    }

    private static void line() throws Exception {
        int c;
        do
            c = System.in.read();
        while (c != '\n' && c != -1);
    }
}
