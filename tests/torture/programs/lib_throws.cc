// Exceptions through frames of C++, C and ours: what connects is called on the way, before and after.
#include <netinet/in.h>
#include <stdexcept>
#include <sys/socket.h>
#include <unistd.h>

static void dial(int port) {
    sockaddr_in a{};
    a.sin_family = AF_INET;
    a.sin_port = htons(static_cast<uint16_t>(port));
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, reinterpret_cast<sockaddr *>(&a), sizeof a) != 0)
        throw std::runtime_error("connect");
    close(fd);
}

struct closes {
    int port;
    ~closes() { dial(port); }
};

__attribute__((noinline)) static void go_down(int depth, int port) {
    closes at_the_end{port};
    if (depth == 0)
        throw std::runtime_error("bottom");
    go_down(depth - 1, port);
}

extern "C" int catches(int port, int times) {
    int caught = 0;
    for (int i = 0; i < times; i++)
        try {
            go_down(3, port);
        } catch (const std::exception &) {
            caught++;
        }
    return caught;
}
