// Asks for a token, reads the description of the API with it, and shows that. The token stays in this page's memory.
const form = document.querySelector('#enter');
const status = document.querySelector('#status');

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const token = form.elements.token.value.trim();
  status.textContent = 'Reading…';
  try {
    const response = await fetch('/openapi.json', { headers: { authorization: `Bearer ${token}` } });
    const answer = await response.json();
    if (!response.ok) throw new Error(answer.detail ?? `The relay answered ${response.status}.`);
    show(answer, token);
    status.textContent = '';
  } catch (error) {
    status.textContent = error instanceof Error ? error.message : String(error);
  }
});

function show(spec, token) {
  window.SwaggerUIBundle({
    spec,
    dom_id: '#api',
    deepLinking: true,
    defaultModelsExpandDepth: -1,
    docExpansion: 'list',
    filter: true,
    tryItOutEnabled: true,
    validatorUrl: null,
    requestInterceptor: (request) => {
      request.headers.authorization = `Bearer ${token}`;
      return request;
    },
  });
}
