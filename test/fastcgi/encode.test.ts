import t from 'tap';
import { KEEP_CONN, ProtocolStatus, RecordType, Role } from '../../src/fastcgi/constants.js';
import {
  CHUNK,
  encodeAnswer,
  encodeBeginRequest,
  encodeEndRequest,
  encodeGetValues,
  encodeLength,
  encodePairs,
  encodeParams,
  encodeRecord,
  encodeStdin,
  encodeStream,
  encodeStreamEnd,
  encodeUnknownType,
  encodeValuesResult,
  writeHeader,
} from '../../src/fastcgi/encode.js';

function bytes(text: string): Buffer {
  return Buffer.from(text.replaceAll(' ', ''), 'hex');
}

t.test('a record is padded to a multiple of 8', async (t) => {
  t.same(
    encodeRecord(RecordType.STDOUT, 0x0102, Buffer.from('abc')),
    bytes('01060102 0003 05 00 616263 0000000000'),
  );
  t.same(
    encodeRecord(RecordType.STDOUT, 1, Buffer.from('abcdefgh')),
    bytes('01060001 0008 00 00 6162636465666768'),
  );
  t.same(encodeStreamEnd(RecordType.STDERR, 65_535), bytes('0107ffff 0000 00 00'));
});

t.test('a header in a buffer', async (t) => {
  const target = Buffer.alloc(20, 0xee);
  t.equal(writeHeader(target, 2, RecordType.PARAMS, 258, 65_535, 255), 10);
  t.same(target.subarray(0, 12), bytes('eeee 01040102 ffff ff 00 eeee'));
  t.throws(() => writeHeader(target, 0, RecordType.PARAMS, 65_536, 0), RangeError);
  t.throws(() => writeHeader(target, 0, RecordType.PARAMS, 1, 65_536), RangeError);
});

t.test('a stream is split at 65,528 bytes', async (t) => {
  t.equal(encodeStream(RecordType.STDOUT, 1, Buffer.alloc(0)).length, 0);
  const exact = encodeStream(RecordType.STDOUT, 1, Buffer.alloc(CHUNK));
  t.equal(exact.length, 8 + CHUNK);
  t.same(exact.subarray(0, 8), bytes('01060001 fff8 00 00'));
  const more = encodeStream(RecordType.STDOUT, 1, Buffer.alloc(CHUNK + 1, 'x'));
  t.equal(more.length, 8 + CHUNK + 8 + 8);
  t.same(more.subarray(8 + CHUNK), bytes('01060001 0001 07 00 78 00000000000000'));
});

t.test('the end of a request', async (t) => {
  t.same(encodeEndRequest(1), bytes('01030001 0008 00 00 00000000 00 000000'));
  t.same(
    encodeEndRequest(1, 0xfffffffe, ProtocolStatus.OVERLOADED),
    bytes('01030001 0008 00 00 fffffffe 02 000000'),
  );
});

t.test('an answer ends its stream and its request', async (t) => {
  const answer = encodeAnswer(7, Buffer.from('Status: 403\r\n\r\n'), ProtocolStatus.CANT_MPX_CONN);
  const page = Buffer.from('Status: 403\r\n\r\n').toString('hex');
  t.same(
    answer,
    bytes(`01060007 000f 01 00 ${page} 00 01060007 0000 00 00 01030007 0008 00 00 00000000 01 000000`),
  );
  t.same(
    encodeAnswer(1, Buffer.alloc(0)),
    bytes('01060001 0000 00 00 01030001 0008 00 00 00000000 00 000000'),
  );
});

t.test('management records', async (t) => {
  t.same(encodeUnknownType(99), bytes('010b0000 0008 00 00 63 00000000000000'));
  t.same(encodeGetValues(['A']), bytes('01090000 0003 05 00 010041 0000000000'));
  t.same(encodeValuesResult([['A', '1']]), bytes('010a0000 0004 04 00 01014131 00000000'));
});

t.test('what a web server sends', async (t) => {
  t.same(encodeBeginRequest(1, Role.RESPONDER, KEEP_CONN), bytes('01010001 0008 00 00 0001 01 0000000000'));
  t.same(encodeParams(1, [['A', '1']]), bytes('01040001 0004 04 00 01014131 00000000 01040001 0000 00 00'));
  t.same(encodeParams(1, []), bytes('01040001 0000 00 00'));
  t.same(encodeStdin(1), bytes('01050001 0000 00 00'));
  t.same(
    encodeStdin(1, Buffer.from('x')),
    bytes('01050001 0001 07 00 78 00000000000000 01050001 0000 00 00'),
  );
});

t.test('lengths take one byte up to 127, else four', async (t) => {
  t.same(encodeLength(0), bytes('00'));
  t.same(encodeLength(127), bytes('7f'));
  t.same(encodeLength(128), bytes('80000080'));
  t.same(encodeLength(0x7fff_ffff), bytes('ffffffff'));
  t.throws(() => encodeLength(0x8000_0000), RangeError);
});

t.test('text is UTF-8, and lengths are of its bytes', async (t) => {
  t.same(encodePairs([['é', '']]), bytes('02 00 c3a9'));
});
