(() => {
  "use strict";
  const area = document.getElementById("area");
  const sex = document.getElementById("sex");
  const said = document.getElementById("said");
  const hides = (wanted, given) => given !== undefined && given !== "Persons" && wanted !== "all" && given !== wanted;
  const show = () => {
    for (const part of document.querySelectorAll("[data-area], [data-sex]")) {
      part.hidden = hides(area.value, part.dataset.area) || hides(sex.value, part.dataset.sex);
    }
    for (const name of document.querySelectorAll(".area-name")) {
      name.textContent = area.selectedOptions[0].textContent;
    }
    said.textContent = `Showing ${area.selectedOptions[0].textContent}, ${sex.selectedOptions[0].textContent.toLowerCase()}.`;
  };
  document.getElementById("choice").hidden = false;
  area.addEventListener("change", show);
  sex.addEventListener("change", show);
  show();
})();
