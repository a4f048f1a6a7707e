/** Pages that both tenants have beside the usual ones: tools of an attacker, and an application worth attacking. */

/** `?file=`: shows a file, and whose eyes saw it. */
const steal = `<?php
header('Content-Type: application/json');
echo json_encode(['uid' => posix_getuid(), 'content' => @file_get_contents($_GET['file'])]);`;

export interface Stolen {
  readonly uid: number;
  readonly content: string | false;
}

/** \`?to=unix:///path\` or \`tcp://host:port\`: says the body there, and answers with what comes back. */
const speak = `<?php
$socket = @stream_socket_client($_GET['to'], $errno, $error, 5);
if ($socket === false) { http_response_code(502); exit("cannot connect: $error"); }
@fwrite($socket, file_get_contents('php://input'));
stream_set_timeout($socket, 10);
echo stream_get_contents($socket);`;

/** An application that takes the web server's word for who is logged in. */
const admin = `<?php
$user = $_SERVER['REMOTE_USER'] ?? 'nobody';
$safe = ($_SERVER['HTTPS'] ?? '') === 'on' ? 'encrypted' : 'plain';
echo "uid ", posix_getuid(), ", logged in: $user, connection: $safe";
if ($user === 'admin') echo ", the safe is open";`;

export const attackPages: Readonly<Record<string, string>> = {
  'steal.php': steal,
  'speak.php': speak,
  'admin.php': admin,
};
