"""psycopg2: connections used once and never closed."""
import sys

import psycopg2

host, port = sys.argv[1:3]
connections = [psycopg2.connect(host=host, port=port, user="postgres", dbname="postgres")
               for _ in range(5)]
for connection in connections:
    with connection.cursor() as cursor:
        cursor.execute("select 1")
print("READY", flush=True)
sys.stdin.readline()
for connection in connections:
    connection.close()
print("CLOSED", flush=True)
sys.stdin.readline()
