import java.util.*;
import java.util.concurrent.*;
import java.util.concurrent.atomic.*;

public class Threads {
    static class Node { Node next; int[] data = new int[64]; }

    public static void main(String[] args) throws Exception {
        ExecutorService pool = Executors.newFixedThreadPool(16);
        AtomicLong sum = new AtomicLong();
        List<Future<Long>> futures = new ArrayList<>();
        for (int i = 0; i < 200; i++) {
            final int id = i;
            futures.add(pool.submit(() -> {
                Node head = null;
                for (int j = 0; j < 500; j++) {
                    Node n = new Node();
                    n.next = head;
                    n.data[j % 64] = id;
                    head = j % 50 == 0 ? n : head;
                    if (head == null) head = n;
                }
                if (id % 50 == 0) System.gc();
                long t = 0;
                for (Node n = head; n != null; n = n.next)
                    for (int v : n.data) t += v;
                sum.addAndGet(t);
                return t;
            }));
        }
        long check = 0;
        for (Future<Long> f : futures) check += f.get();
        pool.shutdown();
        System.out.println(pool.awaitTermination(10, TimeUnit.SECONDS) + " " + (check == sum.get()) + " " + check);
        ConcurrentHashMap<Integer, String> map = new ConcurrentHashMap<>();
        Thread[] ts = new Thread[20];
        for (int i = 0; i < ts.length; i++) {
            final int id = i;
            ts[i] = new Thread(() -> { for (int j = 0; j < 200; j++) map.put(id * 200 + j, "v" + j); });
            ts[i].start();
        }
        for (Thread t : ts) t.join();
        System.out.println(map.size());
        long h = 0;
        for (int i = 0; i < 3000000; i++) h = h * 31 + (i ^ (h >>> 7));
        System.out.println(h);
        Object o = null;
        int nulls = 0;
        for (int i = 0; i < 20000; i++)
            try { o.hashCode(); } catch (NullPointerException e) { nulls++; }
        System.out.println(nulls);
        try { System.out.println(deep(0)); } catch (StackOverflowError e) { System.out.println("stack overflow caught"); }
        Object lock = new Object();
        int[] turn = {0};
        StringBuffer order = new StringBuffer();
        Thread[] ping = new Thread[2];
        for (int k = 0; k < 2; k++) {
            final int me = k;
            ping[k] = new Thread(() -> {
                for (int j = 0; j < 200; j++)
                    synchronized (lock) {
                        while (turn[0] != me) try { lock.wait(); } catch (InterruptedException e) { }
                        order.append(me);
                        turn[0] = 1 - me;
                        lock.notifyAll();
                    }
            });
            ping[k].start();
        }
        for (Thread t : ping) t.join();
        System.out.println(order.length() + " " + order.substring(0, 6));
    }

    static int deep(int n) { return n < 0 ? 0 : 1 + deep(n + 1); }
}
