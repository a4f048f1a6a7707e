/**
 * What a tenant can do with native code, as PHP pages that use FFI. A tenant who may start programs needs no FFI for
 * it: whatever his worker holds is his.
 */

export const ffi = ['--set', 'php_ini.set.ffi.enable=1'] as const;
export const ffiPool = 'php_admin_value[ffi.enable] = 1';

/** Functions of libc, and `sockets()`: every descriptor of this process that is a stream socket. */
export const libc = `<?php
$c = FFI::cdef('
    int fork(void); void _exit(int); int dup(int); int close(int); int usleep(unsigned); int setsid(void);
    long recv(int, void *, size_t, int); long send(int, const void *, size_t, int); long write(int, const void *, size_t);
    int getsockopt(int, int, int, void *, unsigned *);
    int open(const char *, int, int);
');
const STREAM = 1, SEQPACKET = 5;
function sockets(int $wanted): array {
    global $c;
    $found = [];
    foreach (scandir('/proc/self/fd') as $name) {
        $type = $c->new('int');
        $length = $c->new('unsigned');
        $length->cdata = 4;
        $answer = $c->getsockopt((int) $name, 1, 3, FFI::addr($type), FFI::addr($length));
        if (ctype_digit($name) && $answer === 0 && $type->cdata === $wanted) $found[] = (int) $name;
    }
    return $found;
}
/** Bytes of a FastCGI record. */
function record(int $type, string $content, int $id = 1): string {
    return pack('CCnnCC', 1, $type, $id, strlen($content), 0, 0) . $content;
}
?>`;
