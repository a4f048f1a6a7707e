/**
 * What a tenant can do with native code, as PHP pages that use FFI. A tenant who may start programs needs no FFI for
 * it: whatever his worker holds is his.
 */

export const ffi = ['--set', 'php_ini.set.ffi.enable=1'] as const;
export const ffiPool = 'php_admin_value[ffi.enable] = 1';

/** Functions of libc, and `sockets()`: the descriptors of this process that are connected sockets of a type. */
export const libc = `<?php
$c = FFI::cdef('
    int fork(void); int waitpid(int, int *, int); void _exit(int); int dup(int); int close(int); int usleep(unsigned); int setsid(void);
    long recv(int, void *, size_t, int); long send(int, const void *, size_t, int); long write(int, const void *, size_t);
    int getsockopt(int, int, int, void *, unsigned *);
    int open(const char *, int, int);
');
const STREAM = 1, SEQPACKET = 5, SO_TYPE = 3, SO_ACCEPTCONN = 30;
function option(int $fd, int $name): int {
    global $c;
    $value = $c->new('int');
    $length = $c->new('unsigned');
    $length->cdata = 4;
    return $c->getsockopt($fd, 1, $name, FFI::addr($value), FFI::addr($length)) === 0 ? $value->cdata : -1;
}
function sockets(int $type): array {
    return array_values(array_filter(range(0, 255), fn ($fd) => option($fd, SO_TYPE) === $type && option($fd, SO_ACCEPTCONN) === 0));
}
/** Bytes of a FastCGI record. */
function record(int $type, string $content, int $id = 1): string {
    return pack('CCnnCC', 1, $type, $id, strlen($content), 0, 0) . $content;
}
?>`;
