// For the HTTP clients in Java: does the fault that is named, and stands still.
//
//     CLIENT URL FAULT
//
// What is read is printed: it is the same without the guard. What a fault returns outlives it.
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;

class HttpCommon {
    static final int LEAKS = 5, MANY = 24, TOGETHER = 4, PART = 100_000;
    static Object kept; // a field: a local variable that nobody reads any more keeps nothing

    static void run(String fault, Map<String, Callable<Object>> faults) throws Exception {
        kept = faults.get(fault).call();
        still();
        line();
        System.exit(0); // with the threads that clients leave behind
    }

    static void line() throws Exception {
        int c;
        do
            c = System.in.read();
        while (c != '\n' && c != -1);
    }

    static void still() {
        System.out.println("STILL");
    }

    /** So many results, some time apart: each lies idle for more than a tenth of leak_after. */
    static List<Object> hold(int count, Callable<Object> step) throws Exception {
        List<Object> results = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            results.add(step.call());
            Thread.sleep(50);
        }
        return results;
    }

    static Object many(Callable<byte[]> step) throws Exception {
        for (int i = 0; i < MANY; i++)
            System.out.println(step.call().length);
        return null;
    }

    static Object asleep(Callable<byte[]> step) throws Exception {
        still();
        System.out.println(step.call().length);
        return null;
    }
}
