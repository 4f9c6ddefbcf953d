// Everything the shell itself says, in the interface's languages. Messages of the engine come with their own text.
import type { Settings } from '../ipc/contract.ts';

const en = {
  open: 'Open Culvert',
  connect: 'Connect',
  disconnect: 'Disconnect',
  cancel: 'Cancel',
  retry: 'Try again',
  quit: 'Quit Culvert',
  noProfiles: 'No profiles yet',
  lastError: 'Last error: {0}',
  starting: 'Starting the engine …',
  unreachable: 'The engine is not reachable: {0}',
  disconnected: 'Not connected',
  connecting: 'Connecting to {0} …',
  connected: 'Connected to {0}',
  reconnecting: 'Reconnecting to {0}: {1}',
  disconnecting: 'Disconnecting from {0} …',
  failed: 'Could not connect to {0}: {1}',
  blocked: '{0} — traffic that must not leave the tunnel is held back',
  quitTitle: 'You are connected to {0}.',
  quitDetail: 'Quit and disconnect, or quit and stay connected?',
  quitDisconnect: 'Disconnect and quit',
  quitStay: 'Stay connected and quit',
  importTitle: 'Import the profile “{0}”?',
  importDetail: 'Gateway: {0}\nRoutes: {1}\n{2}',
  importReplace: 'A profile of this name is stored already and would be replaced.',
  importButton: 'Import',
  importFailed: 'The profile cannot be imported',
  ok: 'OK',
};
export type Words = Readonly<Record<keyof typeof en, string>>;

const de: Words = {
  open: 'Culvert öffnen',
  connect: 'Verbinden',
  disconnect: 'Trennen',
  cancel: 'Abbrechen',
  retry: 'Erneut versuchen',
  quit: 'Culvert beenden',
  noProfiles: 'Noch keine Profile',
  lastError: 'Letzter Fehler: {0}',
  starting: 'Die Engine wird gestartet …',
  unreachable: 'Die Engine ist nicht erreichbar: {0}',
  disconnected: 'Nicht verbunden',
  connecting: 'Verbindung mit {0} wird aufgebaut …',
  connected: 'Mit {0} verbunden',
  reconnecting: 'Verbindung mit {0} wird erneuert: {1}',
  disconnecting: 'Verbindung mit {0} wird getrennt …',
  failed: 'Keine Verbindung mit {0}: {1}',
  blocked: '{0} – was den Tunnel nicht verlassen darf, wird zurückgehalten',
  quitTitle: 'Sie sind mit {0} verbunden.',
  quitDetail: 'Trennen und beenden, oder beenden und verbunden bleiben?',
  quitDisconnect: 'Trennen und beenden',
  quitStay: 'Beenden, verbunden bleiben',
  importTitle: 'Profil „{0}“ importieren?',
  importDetail: 'Gateway: {0}\nRouten: {1}\n{2}',
  importReplace: 'Ein Profil dieses Namens ist schon gespeichert und würde ersetzt.',
  importButton: 'Importieren',
  importFailed: 'Das Profil kann nicht importiert werden',
  ok: 'OK',
};

const fr: Words = {
  open: 'Ouvrir Culvert',
  connect: 'Se connecter',
  disconnect: 'Se déconnecter',
  cancel: 'Annuler',
  retry: 'Réessayer',
  quit: 'Quitter Culvert',
  noProfiles: 'Aucun profil',
  lastError: 'Dernière erreur : {0}',
  starting: 'Démarrage du moteur …',
  unreachable: 'Le moteur est injoignable : {0}',
  disconnected: 'Non connecté',
  connecting: 'Connexion à {0} …',
  connected: 'Connecté à {0}',
  reconnecting: 'Reconnexion à {0} : {1}',
  disconnecting: 'Déconnexion de {0} …',
  failed: 'Connexion à {0} impossible : {1}',
  blocked: '{0} – le trafic qui ne doit pas quitter le tunnel est retenu',
  quitTitle: 'Vous êtes connecté à {0}.',
  quitDetail: 'Se déconnecter et quitter, ou quitter en restant connecté ?',
  quitDisconnect: 'Se déconnecter et quitter',
  quitStay: 'Quitter en restant connecté',
  importTitle: 'Importer le profil « {0} » ?',
  importDetail: 'Passerelle : {0}\nRoutes : {1}\n{2}',
  importReplace: 'Un profil de ce nom existe déjà et serait remplacé.',
  importButton: 'Importer',
  importFailed: 'Le profil ne peut pas être importé',
  ok: 'OK',
};

const zh: Words = {
  open: '打开 Culvert',
  connect: '连接',
  disconnect: '断开连接',
  cancel: '取消',
  retry: '重试',
  quit: '退出 Culvert',
  noProfiles: '还没有配置',
  lastError: '最近的错误：{0}',
  starting: '正在启动引擎…',
  unreachable: '无法连接引擎：{0}',
  disconnected: '未连接',
  connecting: '正在连接 {0}…',
  connected: '已连接 {0}',
  reconnecting: '正在重新连接 {0}：{1}',
  disconnecting: '正在断开 {0}…',
  failed: '无法连接 {0}：{1}',
  blocked: '{0}，不得离开隧道的流量已被拦住',
  quitTitle: '您已连接到 {0}。',
  quitDetail: '断开后退出，还是保持连接并退出？',
  quitDisconnect: '断开并退出',
  quitStay: '保持连接并退出',
  importTitle: '导入配置“{0}”？',
  importDetail: '网关：{0}\n路由：{1}\n{2}',
  importReplace: '已有同名配置，将被替换。',
  importButton: '导入',
  importFailed: '无法导入配置',
  ok: '确定',
};

/** `locale`: the operating system's, BCP 47; used where the person chose none. */
export function wordsFor(language: Settings['language'], locale: string): Words {
  const tag = language === 'system' ? locale.toLowerCase() : language.toLowerCase();
  if (tag.startsWith('de')) return de;
  if (tag.startsWith('fr')) return fr;
  if (tag.startsWith('zh')) return zh;
  return en;
}

export const fill = (pattern: string, ...values: readonly string[]): string =>
  pattern.replace(/\{(\d)\}/g, (_, index: string) => values[Number(index)] ?? '');
