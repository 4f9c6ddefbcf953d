import type { path as en } from '../en/path.ts';
import type { Translated } from '../message.ts';

export const path: Translated<typeof en> = {
  'path.fits': 'Pakete von {path} Byte kommen an, wie der Tunnel es annimmt. Sie müssen nichts ändern.',
  'path.smaller':
    'Nur Pakete bis {path} Byte kommen an; der Tunnel geht von {assumed} aus. Größere gehen verloren: Downloads und manche Seiten bleiben hängen. Verwenden Sie den gemessenen Wert.',
  'path.larger':
    'Pakete bis {path} Byte kommen an; der Tunnel geht von {assumed} aus. Das funktioniert; mit dem gemessenen Wert geht es etwas schneller.',
  'path.none':
    'Kein Testpaket kam zurück. Vielleicht beantwortet das Gateway sie nicht, oder das Netz verliert sie; fragen Sie Ihren Administrator, oder versuchen Sie ein anderes Netz.',
};
