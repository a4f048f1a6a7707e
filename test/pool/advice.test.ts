import t from 'tap';
import { fitting, fittingInWords } from '../../src/pool/advice.js';

const megabyte = 1024 ** 2;

t.test('how many fit', async (t) => {
  t.equal(fitting(450 * megabyte, 74 * megabyte), 6);
  t.equal(fittingInWords(450 * megabyte, 74 * megabyte), '6 workers fit your memory at 74 MB');
  t.equal(fittingInWords(10, 74 * megabyte), '1 worker fits your memory at 74 MB', 'it would run alone');
  t.equal(fitting(5, 0), 5);
});
