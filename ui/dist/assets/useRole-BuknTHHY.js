import{d as e,m as r}from"./index-Bwb7HwIP.js";function a(){return e(r).data?.role!=="viewer"}export{a as u};
