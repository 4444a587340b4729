import './shared/theme/fonts.css';
import '@mantine/core/styles.css';
import './shared/theme/global.css';
import { createRoot } from 'react-dom/client';
import { App } from './app/App';

createRoot(document.getElementById('root')!).render(<App />);
