# bash's /dev/tcp, whose writes nobody sees: two connections that are used again and again.
exec 3<>"/dev/tcp/$1/$2" || exit 1
use() {
    printf 'GET /small HTTP/1.1\r\nHost: %s\r\n\r\n' "$1" >&"$2"
    while IFS= read -r line <&"$2" && [ "$line" != $'\r' ]; do
        :
    done
    IFS= read -r -N 5 body <&"$2"
    [ "$body" = small ] || exit 1
}
use "$1" 3
read -r -t 0.1 _
exec 4<>"/dev/tcp/$1/$2" || exit 1
use "$1" 4
echo READY
until read -r -t 0.05 line; do
    use "$1" 3
    use "$1" 4
done
