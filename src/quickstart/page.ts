/** The page of the demo sites: it shows who it runs as, and with `?json` it says so to a program. */

export interface Answer {
  readonly uid: number;
  readonly user: string;
  readonly groups: readonly string[];
  readonly pid: number;
}

export const demoPage = `<?php
$name = fn (int $uid): string => posix_getpwuid($uid)['name'] ?? (string) $uid;
$group = fn (int $gid): string => posix_getgrgid($gid)['name'] ?? (string) $gid;
$groups = array_values(array_unique([posix_getgid(), ...posix_getgroups()]));
$answer = [
    'uid' => posix_getuid(),
    'user' => $name(posix_getuid()),
    'groups' => array_map($group, $groups),
    'pid' => getmypid(),
];
if (isset($_GET['json'])) {
    header('Content-Type: application/json');
    exit(json_encode($answer));
}
$neighbour = basename(dirname(__DIR__)) === 'demo-a' ? 'demo-b' : 'demo-a';
$secret = dirname(__DIR__, 2) . "/$neighbour/secret.txt";
$denied = @file_get_contents($secret) === false;
$escape = fn (string|int $text): string => htmlspecialchars((string) $text);
?>
<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<title>guise: <?= $escape($answer['user']) ?></title>
<style>
  body { font: 1.1rem/1.5 system-ui, sans-serif; max-width: 40rem; margin: 4rem auto; padding: 0 1rem; color: #223; }
  h1 { font-weight: 600; }
  dl { display: grid; grid-template-columns: max-content 1fr; gap: .4rem 1.5rem; }
  dt { color: #667; }
  dd { margin: 0; font-family: ui-monospace, monospace; }
</style>
<h1>This page runs as <?= $escape($answer['user']) ?></h1>
<dl>
  <dt>site</dt><dd><?= $escape($_SERVER['SERVER_NAME'] ?? '') ?></dd>
  <dt>user</dt><dd><?= $escape($answer['uid']) ?> (<?= $escape($answer['user']) ?>)</dd>
  <dt>groups</dt><dd><?= $escape(implode(', ', $answer['groups'])) ?></dd>
  <dt>process</dt><dd><?= $escape($answer['pid']) ?></dd>
  <dt>PHP</dt><dd><?= $escape(PHP_VERSION) ?>, <?= $escape(PHP_SAPI) ?></dd>
  <dt>web server</dt><dd><?= $escape($_SERVER['SERVER_SOFTWARE'] ?? '') ?></dd>
  <dt>the neighbour's file</dt><dd><?= $escape($secret) ?>: <?= $denied ? 'not readable, as it should be' : 'READABLE' ?></dd>
</dl>
`;
