"""psycopg2 over TLS: a connection used once and kept."""
import sys

import psycopg2

name, host, port, version, sslmode = sys.argv[1:]
connection = psycopg2.connect(host=name, hostaddr=host, port=port, user="postgres",
                              dbname="postgres", sslmode=sslmode, ssl_min_protocol_version=version,
                              ssl_max_protocol_version=version)
with connection.cursor() as cursor:
    cursor.execute("select 1")
print("READY", flush=True)
sys.stdin.readline()
connection.close()
print("CLOSED", flush=True)
sys.stdin.readline()
