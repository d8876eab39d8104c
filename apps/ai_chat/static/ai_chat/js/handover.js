/** Takes the code out of the address before anything else, and shows it to the server once. */

const code = location.hash.slice(1);
history.replaceState(null, "", location.pathname);
const form = document.getElementById("handover");
form.elements.code.value = code;
form.submit();
