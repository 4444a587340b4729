import './shared/theme/fonts.css';
import '@mantine/core/styles.css';
import './shared/theme/global.css';
import { createRoot } from 'react-dom/client';
import { App } from './app/App';
import { loadLang } from './shared/i18n';

// A text that cannot be loaded is shown in English rather than nothing at all.
void loadLang()
  .catch(() => undefined)
  .then(() => createRoot(document.getElementById('root')!).render(<App />));
