"""A pool in good health: psycopg2's, filled at start, each connection lent once, then idle."""
import sys

from psycopg2.pool import ThreadedConnectionPool

host, port = sys.argv[1:3]
pool = ThreadedConnectionPool(5, 5, host=host, port=port, user="postgres", dbname="postgres")
lent = [pool.getconn() for _ in range(5)]
for connection in lent:
    with connection, connection.cursor() as cursor:
        cursor.execute("select 1")
    pool.putconn(connection)
print("READY", flush=True)
sys.stdin.readline()
pool.closeall()
print("CLOSED", flush=True)
sys.stdin.readline()
