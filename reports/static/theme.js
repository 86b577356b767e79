// Light, dark, or as the system has it; kept in this browser.

function startTheme() {
  const choices = ["auto", "light", "dark"];
  const key = "binding-bench:theme";
  const button = byId("theme");
  const show = (choice) => {
    document.documentElement.dataset.theme = choice;
    button.querySelector("span").textContent = choice;
    button.title = choice === "auto" ? "Light or dark as the system has it" : `Always ${choice}`;
  };
  let choice = recall(key);
  if (!choices.includes(choice)) choice = "auto";
  show(choice);
  button.addEventListener("click", () => {
    choice = choices[(choices.indexOf(choice) + 1) % choices.length];
    remember(key, choice);
    show(choice);
  });
}

// Storage can be forbidden; then nothing is kept, and the page says so where it matters.
function recall(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

function remember(key, value) {
  try {
    localStorage.setItem(key, value);
    return true;
  } catch {
    return false;
  }
}
