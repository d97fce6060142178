import { createRoot } from 'react-dom/client';
import { App } from './app.tsx';
import './page.css';
import './blocks.css';

const root = document.getElementById('page');
if (root) createRoot(root).render(<App />);
