/** The two sides of each message agree: sizes and numbers of protocol.h and script.h against those in TypeScript. */

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { counterSlotBytes } from '../../src/control/direct-counters.js';
import { entryHeaderBytes, logbookBytes, logbookSums } from '../../src/control/logbook.js';
import { slateBytes } from '../../src/control/slate.js';
import * as template from '../../src/control/template-messages.js';
import * as worker from '../../src/control/worker-messages.js';
import { nativeSources } from './sources.js';

const program = `
#include <stddef.h>
#include <stdio.h>
#include "counters.h"
#include "logbook.h"
#include "protocol.h"
#include "script.h"
#define SHOW(name, value) printf("\\"%s\\": %zu,\\n", name, (size_t)(value))
int main(void) {
  printf("{");
  SHOW("job", sizeof(struct job));
  SHOW("job.body_length", offsetof(struct job, body_length));
  SHOW("note", sizeof(struct note));
  SHOW("note.found", offsetof(struct note, found));
  SHOW("note.ended_us", offsetof(struct note, ended_us));
  SHOW("slate", sizeof(struct slate));
  SHOW("slate.started", offsetof(struct slate, started));
  SHOW("slate.over", offsetof(struct slate, over));
  SHOW("slate.wanted", offsetof(struct slate, wanted));
  SHOW("slate.followed", offsetof(struct slate, followed));
  SHOW("order", sizeof(struct order));
  SHOW("report", sizeof(struct report));
  SHOW("report.status", offsetof(struct report, status));
  SHOW("report.max_rss_kb", offsetof(struct report, max_rss_kb));
  SHOW("counters", sizeof(struct counters));
  SHOW("counters.last_refusal", offsetof(struct counters, last_refusal));
  SHOW("counters.last_end_ms", offsetof(struct counters, last_end_ms));
  SHOW("logbook", sizeof(struct logbook));
  SHOW("logbook.written", offsetof(struct logbook, written));
  SHOW("logbook.begun", offsetof(struct logbook, begun));
  SHOW("logbook.over", offsetof(struct logbook, over));
  SHOW("logbook.taken", offsetof(struct logbook, taken));
  SHOW("logbook.counted", offsetof(struct logbook, counted));
  SHOW("logbook.present", offsetof(struct logbook, present));
  SHOW("logbook.ring", offsetof(struct logbook, ring));
  SHOW("sums.max_rss_kb", offsetof(struct sums, max_rss_kb));
  SHOW("sums.left_out", offsetof(struct sums, left_out));
  SHOW("entry", sizeof(struct entry));
  SHOW("entry.id", offsetof(struct entry, id));
  SHOW("entry.started_us", offsetof(struct entry, started_us));
  SHOW("entry.bytes_out", offsetof(struct entry, bytes_out));
  SHOW("entry.status", offsetof(struct entry, status));
  SHOW("entry.reason", offsetof(struct entry, reason));
  SHOW("entry.lengths", offsetof(struct entry, lengths));
  SHOW("order.slot", offsetof(struct order, slot));
  SHOW("JOB_MAX", JOB_MAX);
  SHOW("JOB_KEEP", JOB_KEEP);
  SHOW("JOB_OWES_END", JOB_OWES_END);
  SHOW("JOB_BODY_FILE", JOB_BODY_FILE);
  SHOW("NOTE_STARTED", NOTE_STARTED);
  SHOW("NOTE_DONE", NOTE_DONE);
  SHOW("NOTE_REFUSED", NOTE_REFUSED);
  SHOW("NOTE_COMPLETE", NOTE_COMPLETE);
  SHOW("NOTE_PEER_GONE", NOTE_PEER_GONE);
  SHOW("NOTE_LAST", NOTE_LAST);
  SHOW("ORDER_FORK", ORDER_FORK);
  SHOW("ORDER_LIST", ORDER_LIST);
  SHOW("ORDER_CLOSE", ORDER_CLOSE);
  SHOW("REPORT_READY", REPORT_READY);
  SHOW("REPORT_BORN", REPORT_BORN);
  SHOW("REPORT_EXITED", REPORT_EXITED);
  SHOW("REPORT_FAILED", REPORT_FAILED);
  SHOW("REPORT_WAITING", REPORT_WAITING);
  printf("\\"end\\": 0}");
}
`;

t.test('layouts and numbers are the same on both sides', (t) => {
  const directory = mkdtempSync('/tmp/guise-protocol-');
  t.teardown(() => {
    rmSync(directory, { recursive: true });
  });
  writeFileSync(`${directory}/show.c`, program);
  execFileSync('gcc', ['-I', nativeSources(), '-o', `${directory}/show`, `${directory}/show.c`]);
  const shown = JSON.parse(execFileSync(`${directory}/show`, { encoding: 'utf8' })) as unknown;
  t.same(shown, {
    job: worker.jobHeaderBytes,
    'job.body_length': 16,
    note: worker.noteBytes,
    'note.found': 48,
    'note.ended_us': 56,
    slate: slateBytes,
    'slate.started': 64,
    'slate.over': 68,
    'slate.wanted': 128,
    'slate.followed': 132,
    order: template.orderBytes,
    report: template.reportBytes,
    'report.status': 12,
    'report.max_rss_kb': 32,
    counters: counterSlotBytes,
    'counters.last_refusal': 32,
    'counters.last_end_ms': 40,
    logbook: logbookBytes,
    'logbook.written': 64,
    'logbook.begun': 72,
    'logbook.over': 76,
    'logbook.taken': 128,
    'logbook.counted': 136,
    'logbook.present': 256,
    'logbook.ring': 4096,
    'sums.max_rss_kb': 8 * logbookSums.indexOf('maxRssKb'),
    'sums.left_out': 8 * logbookSums.indexOf('leftOut'),
    entry: entryHeaderBytes,
    'entry.id': 8,
    'entry.started_us': 16,
    'entry.bytes_out': 64,
    'entry.status': 72,
    'entry.reason': 76,
    'entry.lengths': 80,
    'order.slot': 12,
    JOB_MAX: worker.jobMaxBytes,
    JOB_KEEP: worker.jobKeep,
    JOB_OWES_END: worker.jobOwesEnd,
    JOB_BODY_FILE: worker.jobBodyFile,
    NOTE_STARTED: worker.noteStarted,
    NOTE_DONE: worker.noteDone,
    NOTE_REFUSED: worker.noteRefused,
    NOTE_COMPLETE: worker.noteComplete,
    NOTE_PEER_GONE: worker.notePeerGone,
    NOTE_LAST: worker.noteLast,
    ORDER_FORK: template.orderFork,
    ORDER_LIST: template.orderList,
    ORDER_CLOSE: template.orderClose,
    REPORT_READY: template.reportReady,
    REPORT_BORN: template.reportBorn,
    REPORT_EXITED: template.reportExited,
    REPORT_FAILED: template.reportFailed,
    REPORT_WAITING: template.reportWaiting,
    end: 0,
  });
  t.end();
});
