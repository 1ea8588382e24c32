// HttpURLConnection: a response that does not come, with a read timeout in milliseconds or none (0).
import java.net.HttpURLConnection;
import java.net.URL;

public class JavaReads {
    public static void main(String[] args) throws Exception {
        URL url = new URL("http://" + args[0] + ":" + args[1] + "/");
        HttpURLConnection connection = (HttpURLConnection) url.openConnection();
        connection.setReadTimeout(Integer.parseInt(args[2]));
        connection.connect();
        System.out.println("READY");
        System.out.println(connection.getResponseCode());
    }
}
