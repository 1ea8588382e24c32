// NIO: SocketChannels, two connected while blocking and three through finishConnect.
import java.net.InetSocketAddress;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.util.ArrayList;
import java.util.List;

public class JavaNio {
    public static void main(String[] args) throws Exception {
        InetSocketAddress peer = new InetSocketAddress(args[0], Integer.parseInt(args[1]));
        List<SocketChannel> channels = new ArrayList<>();
        for (int i = 0; i < 2; i++)
            channels.add(SocketChannel.open(peer));
        for (int i = 0; i < 3; i++)
            channels.add(openNonBlocking(peer));
        System.out.println("READY");
        line();
        for (SocketChannel channel : channels)
            channel.close();
        System.out.println("CLOSED");
        line();
    }

    private static SocketChannel openNonBlocking(InetSocketAddress peer) throws Exception {
        SocketChannel channel = SocketChannel.open();
        channel.configureBlocking(false);
        if (channel.connect(peer))
            return channel;
        try (Selector selector = Selector.open()) {
            channel.register(selector, SelectionKey.OP_CONNECT);
            while (!channel.finishConnect())
                selector.select();
        }
        return channel;
    }

    private static void line() throws Exception {
        int c;
        do
            c = System.in.read();
        while (c != '\n' && c != -1);
    }
}
