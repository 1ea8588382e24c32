// What the healthy Java clients have in common.

class HealthyRest {
    static final int PAUSE = 100;

    interface Work {
        void run() throws Exception;
    }

    // For ever, in the background; when it fails, so does the program.
    static Thread steadily(int pause, Work work) {
        Thread thread = new Thread(() -> {
            try {
                while (true) {
                    work.run();
                    Thread.sleep(pause);
                }
            } catch (Throwable failure) {
                failure.printStackTrace();
                System.exit(1);
            }
        });
        thread.setDaemon(true);
        thread.start();
        return thread;
    }

    static void rest() throws Exception {
        System.out.println("READY");
        int c;
        do
            c = System.in.read();
        while (c != '\n' && c != -1);
        System.exit(0);
    }
}
