// HttpsURLConnection: input streams of responses, opened and not read.
import java.io.FileInputStream;
import java.io.InputStream;
import java.net.URL;
import java.security.KeyStore;
import java.security.cert.CertificateFactory;
import java.util.ArrayList;
import java.util.List;
import javax.net.ssl.HttpsURLConnection;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

public class TlsHttps {
    public static void main(String[] args) throws Exception {
        HttpsURLConnection.setDefaultSSLSocketFactory(trusting(args[0]).getSocketFactory());
        List<InputStream> streams = new ArrayList<>();
        for (int i = 3; i < args.length; i++)
            streams.add(new URL("https://" + args[2] + ":" + args[i] + "/large").openStream());
        System.out.println("READY");
        line();
        for (InputStream stream : streams)
            stream.close();
        System.out.println("CLOSED");
        line();
    }

    private static SSLContext trusting(String ca) throws Exception {
        KeyStore store = KeyStore.getInstance(KeyStore.getDefaultType());
        store.load(null);
        try (InputStream in = new FileInputStream(ca)) {
            store.setCertificateEntry("ca",
                CertificateFactory.getInstance("X.509").generateCertificate(in));
        }
        TrustManagerFactory factory =
            TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        factory.init(store);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, factory.getTrustManagers(), null);
        return context;
    }

    private static void line() throws Exception {
        int c;
        do
            c = System.in.read();
        while (c != '\n' && c != -1);
    }
}
